"""Denoising for manifold extrapolation: train a denoiser on shuffled frames, walk along the manifold it has learnt."""
