package session

import "sync"

// once computes one value per key, also for concurrent callers. The zero value
// is ready for use. An error is kept like a value.
type once[T any] struct {
	mu    sync.Mutex
	known map[string]func() (T, error)
}

func (o *once[T]) get(key string, compute func() (T, error)) (T, error) {
	o.mu.Lock()
	if o.known == nil {
		o.known = map[string]func() (T, error){}
	}
	value, ok := o.known[key]
	if !ok {
		value = sync.OnceValues(compute)
		o.known[key] = value
	}
	o.mu.Unlock()
	return value()
}
