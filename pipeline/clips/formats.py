"""Suffixes of what is read as pictures and as videos."""

PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp")
VIDEOS = (
    *(".avi", ".divx", ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".gif", ".mpg", ".mpeg", ".mpe"),
    *(".m1v", ".m2v", ".vob", ".ts", ".m2ts", ".mts", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".ogg"),
)
