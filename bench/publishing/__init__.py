"""Pushing the site to a branch of a git repository, as GitHub Pages and others serve it."""
