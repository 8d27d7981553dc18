// Package metadata holds what an extension image tells its consumers.
//
// Its noun is Metadata, the document in the config label io.pgext.metadata:
// everything needed to mount and use an image without any repository. From it
// and a Description come the tags, labels and annotations of an image.
//
// The room knows nothing of files, registries or recipes.
package metadata
