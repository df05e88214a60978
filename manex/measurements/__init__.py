"""Linear measurements of an image: what an inverse problem is given. One kind per file."""
