"""What N regions of one picture cost and how long they take: protocol ``instances-v1``."""
