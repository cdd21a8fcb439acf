"""The regression gate: baselines made for git, decisions, and what they are told as."""
