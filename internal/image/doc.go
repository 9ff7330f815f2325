// Package image makes, stores and moves container images without a container
// engine and without a registry: layers from files, images from layers, OCI
// layouts that hold many images at once, and a content-addressed cache of
// whatever takes long to make.
//
// It knows nothing of which images a cluster needs; package build does.
package image
