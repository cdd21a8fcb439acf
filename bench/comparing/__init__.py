"""Two stored runs of one suite compared: metrics, categories, regions, speed."""
