"""An analysis as DICOM: a segmentation on the CT's own grid."""
