// Package judge checks finished images: findings (lint), evidence (verify) and
// reproducibility (rebuild).
package judge
