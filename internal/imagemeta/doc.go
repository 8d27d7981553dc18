// Package imagemeta derives what an image says about itself from its recipe,
// its lock, its files.
//
// Its noun is Description: the metadata label, the OCI labels and annotations,
// and the findings about what the recipe asks of a consumer. Same input, same
// description; nothing else is read.
package imagemeta
