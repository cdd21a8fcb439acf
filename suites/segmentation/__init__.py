"""Segmentation sets as regions: label maps in, regions with contingency tables out."""
