// Package cnpg holds what CloudNativePG is told about an extension image.
//
// Its noun is the rule: which names, paths, variables and parameters the
// operator takes, where it mounts an image, and what it makes of a value. Every
// rule is that of CloudNativePG 1.30.0 and cites where it stands there: the
// custom resource definitions of api/v1/cluster_types.go, the webhook of
// internal/webhook/v1/cluster_webhook.go, or the code that starts the server.
// An ImageCatalog has no webhook: what breaks a rule there is found only when a
// cluster uses it, so whoever writes for the operator asks here first. Where
// the operator takes what cannot have been meant, the rule is narrower and says
// so.
//
// The room knows no recipe, no label and no YAML, and talks to no cluster.
package cnpg
