"""Programs that measure Assay; the figures in its documentation come from them."""
