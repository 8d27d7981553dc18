// Package atomicfile makes small files appear whole.
//
// Its noun is a whole file: a path holds what it held before, or all of the new
// content, whatever ends the program or the machine meanwhile. So the content is
// synced to the disk before it gets its name. Bytes that are only believed after
// they were compared with a digest, such as blobs, need no sync and have writers
// of their own.
//
// The room does not know what files mean, makes no folders, and does not keep two
// writers of one path apart: the last one wins.
package atomicfile
