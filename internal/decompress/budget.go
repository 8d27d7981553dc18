package decompress

import "sync"

// Budget is memory that readers share for decoding in parallel. It bounds the
// sum of what they hold however many they are. A Budget is safe for use by
// several goroutines.
type Budget struct {
	mu   sync.Mutex
	free int64
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{free: bytes} }

// take takes up to n portions of size bytes and returns how many it got. It
// never waits: a reader can do with nothing.
func (b *Budget) take(n int, size int64) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	got := int(min(int64(n), max(b.free, 0)/size))
	b.free -= int64(got) * size
	return got
}

func (b *Budget) give(n int, size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += int64(n) * size
}
