// Package cnpg implements the rules of CloudNativePG for extension images.
//
// The rules cover the names, paths, variables and parameters that the operator
// accepts, the mount path of an image, and the expansion of placeholders in
// values. Each rule follows CloudNativePG 1.30.0 and cites its source: the
// custom resource definitions of api/v1/cluster_types.go, the webhook of
// internal/webhook/v1/cluster_webhook.go, or the code that starts the server.
// An ImageCatalog has no webhook, so the operator finds an error there only
// when a cluster uses the catalog. Callers that write catalogs or clusters
// check values with this package first. Where the operator accepts a value
// that can only be a mistake, the rule is stricter and its comment explains why.
//
// The package does not read recipes, labels or YAML, and contacts no cluster.
package cnpg
