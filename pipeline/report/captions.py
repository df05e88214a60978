"""What the figures show, in words: alternative texts and captions by kind of figure."""

from __future__ import annotations

from pathlib import Path

from pipeline.figures.style import readable
from pipeline.report.page import Picture
from pipeline.report.sprites import data_address

ABOUT = {
    "_videos.svg": (
        "Rows of frames: the true video on top, then what each method generated, first to last frame",
        "The true video above what each method makes of its first two frames (first trial; the paper's Fig. 2).",
    ),
    ".gif": (
        "Moving picture: the truth and all methods side by side, each played in the same time",
        "Moving picture: all methods next to the truth",
    ),
    "_paths.svg": (
        "One panel per method: the true frames as dots on the latent circle or segment, an arrow for each step",
        "Where each walk is on the latent manifold; dots are true frames, an arrow is a step (Fig. 3).",
    ),
    "_alignment.svg": (
        "Heat map of distances with exact and greedy alignment paths, the pairs they match, and the aligned distances",
        "Distance of every true to every generated frame with both alignments; the pairs of the exact one; the "
        "distance after alignment, and without (Fig. 4).",
    ),
    "_spectrum.svg": (
        "Curves of the largest eigenvalues of the Jacobian at frames of a walk, and its first eigenvectors as images",
        "What the denoiser's Jacobian keeps along a walk: eigenvalues, and the first eigenvectors under each frame "
        "(red brightens, blue darkens).",
    ),
    "_symmetry.svg": (
        "Curves of the smallest eigenvalues of Lie PCA by source of tangent spaces, arrows of the plane's motion, and "
        "images moved by the generator",
        "The symmetry in the tangent spaces: a gap after k eigenvalues means k symmetries. Arrows: the motion of the "
        "plane by the best generator A of the first denoiser; under each frame u is A u (red brightens, blue darkens).",
    ),
    "_levels.svg": (
        "Curves of DTW-SSID against the noise level of the walk, one per denoiser, both axes logarithmic",
        "How well a walk does at every noise level, its other settings unchanged (development seeds). A network beyond "
        "the noise it was trained on is not expected to walk.",
    ),
    "_curve.svg": (
        "Curves of the PSNR of denoised images against that of noisy ones, one per number of training images, dashed "
        "on the images trained on",
        "From memorisation to generalisation: with few training images a network is far better on them (dashed) than "
        "on others; with many both lines meet.",
    ),
    "_twins.svg": (
        "A column per number of training images: histograms of cosines above, samples of two networks below",
        "Two networks trained on disjoint images draw from the same noise. With few images each draws what it was "
        "trained on; with many both draw the same new image.",
    ),
    "_samples.svg": (
        "Rows of images that a denoiser drew from noise, each above the training image nearest to it",
        "What the denoiser takes for images: samples of its prior by stochastic ascent, a row per beta (1: no noise is "
        "added on the way), above the training frames nearest to them.",
    ),
    "_restoration.svg": (
        "One row per task: the true image, what was measured of it, the best affine estimate, samples and their mean",
        "An image drawn again from linear measurements: the best affine estimate, and samples of the denoiser's prior "
        "that agree with the measurements, with their mean.",
    ),
    "_plane.svg": (
        "Panels by noise level: noisy points round a spiral, lines to where one denoising and many steps take them",
        "Denoising in the plane, where the exact denoiser of a spiral is known: one denoising ends off it, "
        "many steps end on it.",
    ),
    "walk.svg": (
        "Left: one digit moved along a straight line and along the manifold; right: a walk round a circle in the plane",
        "Why on the manifold: along the line two images are superimposed (red: brighter than white, blue: darker than "
        "black), along the manifold the image turns. Right, with the exact denoiser of a circle: a step along "
        "the tangent leaves the circle, denoising leads back (Fig. 1).",
    ),
    "comparison.svg": (
        "One panel per dataset: DTW-SSID of every method as a dot with its interval, on a logarithmic axis",
        "Table 1 as a picture; whiskers are 95 % bootstrap intervals over trials and videos.",
    ),
    "generalisation.svg": (
        "Curves of DTW-SSID of every method and of the denoisers' PSNR against the number of training digits",
        "From memorisation to generalisation: walks on digits never seen, and PSNR of the denoisers on frames of "
        "their own digits and of those, by the number of digits trained on.",
    ),
    "_psnr.svg": (
        "One panel per denoiser: PSNR against training step, on held-out and on training frames",
        "How far each denoiser converged; where held-out frames fall behind training frames, it memorises.",
    ),
}
_KINDS = {".svg": "image/svg+xml", ".gif": "image/gif"}


def picture_of(path: Path, prefix: str = "") -> Picture | None:
    """A figure with its words; None if it was not drawn."""
    if not path.is_file():
        return None
    alt, caption = ABOUT[path.name.removeprefix(prefix)]
    described = f"{readable(prefix)}: {alt[0].lower()}{alt[1:]}" if prefix else alt
    address = data_address(path.read_bytes(), _KINDS[path.suffix])
    return Picture(path.stem, address, described, caption, moving=path.suffix == ".gif")
