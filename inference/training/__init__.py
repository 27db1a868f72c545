"""Training of the segmentation networks on simulated vessels."""
