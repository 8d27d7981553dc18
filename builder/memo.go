package builder

import "sync"

// memo computes each value once, also when several goroutines ask for it at
// the same time. The zero memo is ready. A failure is remembered as well.
type memo[T any] struct {
	mu    sync.Mutex
	known map[string]func() (T, error)
}

func (m *memo[T]) get(key string, compute func() (T, error)) (T, error) {
	m.mu.Lock()
	if m.known == nil {
		m.known = map[string]func() (T, error){}
	}
	value, ok := m.known[key]
	if !ok {
		value = sync.OnceValues(compute)
		m.known[key] = value
	}
	m.mu.Unlock()
	return value()
}
