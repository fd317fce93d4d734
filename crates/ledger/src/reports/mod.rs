//! Report files and their manifests.
