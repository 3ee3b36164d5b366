//! `strongroom verify`: rows, blobs and git against each other. TO BE WRITTEN.
