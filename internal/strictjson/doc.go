// Package strictjson refuses JSON that readers do not read alike.
//
// Its noun is the key. An object in which two keys could be taken for one means
// something else to each reader: some believe the first, some the last, some
// ask for no such thing as case. Whoever compares or signs by one reading, while
// another reads otherwise, has been told two stories. The room tells only that
// a document is such a one, and reads one that is not; what its keys mean it does
// not know, and it changes nothing.
package strictjson
