"""Reports: frames in, a static site out."""
