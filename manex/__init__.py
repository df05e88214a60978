"""What manifold has this denoiser learnt, and can I walk along it?

Everything here takes and gives torch tensors: frames have the shape (batch, channel, height, width) and grey levels in
[0, 1]; noise levels are in grey levels, too (25/255 is about 0.098). Files are for `load`, a trained network, and for
`walk` and `tangent`, which take pictures from them, too. A name is imported when it is first used.

Example:
    >>> import manex
    >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> denoiser = manex.DiracMixture(frames)
    >>> space = manex.top_eigenspace(manex.Jacobian(denoiser.at(0.5), frames[:1]), 3)
    >>> space.vectors.shape
    torch.Size([1, 3, 1, 8, 8])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset as Dataset
    from manex.datasets.digits import Images as Images
    from manex.datasets.rotation import Rotation as Rotation
    from manex.datasets.rotation import rotation as rotation
    from manex.datasets.translation import Translation as Translation
    from manex.datasets.translation import translation as translation
    from manex.datasets.videos import LatentVideos as LatentVideos
    from manex.datasets.walker import Walker as Walker
    from manex.datasets.walker import walker as walker
    from manex.denoisers.base import Denoiser as Denoiser
    from manex.denoisers.memoriser import Memoriser as Memoriser
    from manex.denoisers.mixture import DiracMixture as DiracMixture
    from manex.denoisers.network import NetworkDenoiser as NetworkDenoiser
    from manex.denoisers.truth import Truth as Truth
    from manex.errors import GeometryError as GeometryError
    from manex.errors import GeometryWarning as GeometryWarning
    from manex.errors import ImageError as ImageError
    from manex.errors import ManexError as ManexError
    from manex.errors import MetricError as MetricError
    from manex.errors import WalkError as WalkError
    from manex.extrapolators.affine_flow import AffineFlow as AffineFlow
    from manex.extrapolators.base import WalkState as WalkState
    from manex.extrapolators.ddim_latent import DDIMLatent as DDIMLatent
    from manex.extrapolators.dense_flow import DenseFlow as DenseFlow
    from manex.extrapolators.flow_denoise import FlowDenoise as FlowDenoise
    from manex.extrapolators.latent import Latent as Latent
    from manex.extrapolators.linear import Linear as Linear
    from manex.extrapolators.local_pca import LocalPca as LocalPca
    from manex.extrapolators.mcvd import MCVD as MCVD
    from manex.extrapolators.pca_linear import PcaLinear as PcaLinear
    from manex.extrapolators.perfect import Perfect as Perfect
    from manex.extrapolators.persistence import Persistence as Persistence
    from manex.extrapolators.perturbation_pca import PerturbationPca as PerturbationPca
    from manex.extrapolators.pixel_linear import PixelLinear as PixelLinear
    from manex.extrapolators.rnn_ode import RNNODE as RNNODE
    from manex.extrapolators.symmetry_flow import SymmetryFlow as SymmetryFlow
    from manex.extrapolators.tangent_flow import TangentFlow as TangentFlow
    from manex.extrapolators.tangent_space import TangentSpace as TangentSpace
    from manex.front.load import load as load
    from manex.front.tangent import tangent as tangent
    from manex.front.walk import walk as walk
    from manex.geometry.eigen import top_eigenspace as top_eigenspace
    from manex.geometry.products import Jacobian as Jacobian
    from manex.geometry.tangent import principal_angles as principal_angles
    from manex.geometry.tangent import project as project
    from manex.geometry.tangent import retention as retention
    from manex.geometry.tangent import soft_projection as soft_projection
    from manex.measurements.base import Measurement as Measurement
    from manex.measurements.hole import Hole as Hole
    from manex.measurements.hole import hole as hole
    from manex.metrics.dtw import dtw_ssid as dtw_ssid
    from manex.metrics.psnr import psnr as psnr
    from manex.metrics.residual import Residual as Residual
    from manex.metrics.scores import score as score
    from manex.metrics.ssim import ssim_distances as ssim_distances
    from manex.noises.draws import ItemNoise as ItemNoise
    from manex.samplers.ascent import ascend as ascend
    from manex.samplers.ddim import ddim as ddim
    from manex.samplers.stochastic_ascent import StochasticAscent as StochasticAscent
    from manex.samplers.stochastic_ascent import stochastic_ascent as stochastic_ascent
    from manex.training.loop import Training as Training
    from manex.training.resunet import ResUNetTraining as ResUNetTraining
    from manex.training.unet import UNetTraining as UNetTraining

_PUBLIC = {
    "AffineFlow": "manex.extrapolators.affine_flow:AffineFlow",
    "DDIMLatent": "manex.extrapolators.ddim_latent:DDIMLatent",
    "Dataset": "manex.datasets.dataset:Dataset",
    "Denoiser": "manex.denoisers.base:Denoiser",
    "DenseFlow": "manex.extrapolators.dense_flow:DenseFlow",
    "DiracMixture": "manex.denoisers.mixture:DiracMixture",
    "FlowDenoise": "manex.extrapolators.flow_denoise:FlowDenoise",
    "GeometryError": "manex.errors:GeometryError",
    "GeometryWarning": "manex.errors:GeometryWarning",
    "Hole": "manex.measurements.hole:Hole",
    "ImageError": "manex.errors:ImageError",
    "Images": "manex.datasets.digits:Images",
    "ItemNoise": "manex.noises.draws:ItemNoise",
    "Jacobian": "manex.geometry.products:Jacobian",
    "Latent": "manex.extrapolators.latent:Latent",
    "LatentVideos": "manex.datasets.videos:LatentVideos",
    "Linear": "manex.extrapolators.linear:Linear",
    "LocalPca": "manex.extrapolators.local_pca:LocalPca",
    "MCVD": "manex.extrapolators.mcvd:MCVD",
    "ManexError": "manex.errors:ManexError",
    "Measurement": "manex.measurements.base:Measurement",
    "Memoriser": "manex.denoisers.memoriser:Memoriser",
    "MetricError": "manex.errors:MetricError",
    "NetworkDenoiser": "manex.denoisers.network:NetworkDenoiser",
    "PcaLinear": "manex.extrapolators.pca_linear:PcaLinear",
    "Perfect": "manex.extrapolators.perfect:Perfect",
    "Persistence": "manex.extrapolators.persistence:Persistence",
    "PerturbationPca": "manex.extrapolators.perturbation_pca:PerturbationPca",
    "PixelLinear": "manex.extrapolators.pixel_linear:PixelLinear",
    "RNNODE": "manex.extrapolators.rnn_ode:RNNODE",
    "ResUNetTraining": "manex.training.resunet:ResUNetTraining",
    "Residual": "manex.metrics.residual:Residual",
    "Rotation": "manex.datasets.rotation:Rotation",
    "StochasticAscent": "manex.samplers.stochastic_ascent:StochasticAscent",
    "SymmetryFlow": "manex.extrapolators.symmetry_flow:SymmetryFlow",
    "TangentFlow": "manex.extrapolators.tangent_flow:TangentFlow",
    "TangentSpace": "manex.extrapolators.tangent_space:TangentSpace",
    "Training": "manex.training.loop:Training",
    "Translation": "manex.datasets.translation:Translation",
    "Truth": "manex.denoisers.truth:Truth",
    "UNetTraining": "manex.training.unet:UNetTraining",
    "WalkError": "manex.errors:WalkError",
    "WalkState": "manex.extrapolators.base:WalkState",
    "Walker": "manex.datasets.walker:Walker",
    "ascend": "manex.samplers.ascent:ascend",
    "ddim": "manex.samplers.ddim:ddim",
    "dtw_ssid": "manex.metrics.dtw:dtw_ssid",
    "hole": "manex.measurements.hole:hole",
    "load": "manex.front.load:load",
    "principal_angles": "manex.geometry.tangent:principal_angles",
    "project": "manex.geometry.tangent:project",
    "psnr": "manex.metrics.psnr:psnr",
    "retention": "manex.geometry.tangent:retention",
    "rotation": "manex.datasets.rotation:rotation",
    "score": "manex.metrics.scores:score",
    "soft_projection": "manex.geometry.tangent:soft_projection",
    "ssim_distances": "manex.metrics.ssim:ssim_distances",
    "stochastic_ascent": "manex.samplers.stochastic_ascent:stochastic_ascent",
    "tangent": "manex.front.tangent:tangent",
    "top_eigenspace": "manex.geometry.eigen:top_eigenspace",
    "translation": "manex.datasets.translation:translation",
    "walk": "manex.front.walk:walk",
    "walker": "manex.datasets.walker:walker",
}
"""Where each name is, as `module:name`; the imports above say the same to type checkers."""

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _PUBLIC:
        raise AttributeError(f"module 'manex' has no attribute {name!r}")
    module, _, attribute = _PUBLIC[name].partition(":")
    value = globals()[name] = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    """The names of the module, those not yet imported included."""
    return sorted({*globals(), *_PUBLIC})
