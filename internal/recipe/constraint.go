package recipe

import (
	"encoding/json"
	"strconv"

	"github.com/invopop/jsonschema"
)

// constraint adds to the schema of a field what its Go type does not say.
type constraint func(*jsonschema.Schema)

// constraints are by TYPE.field. What holds variables has no pattern.
var constraints = map[string][]constraint{
	"Recipe.name":                     {matching(namePattern)},
	"Recipe.image":                    {matching(imagePattern)},
	"Recipe.version":                  {matching(versionPattern), orNumber},
	"Recipe.summary":                  {orNumber},
	"Recipe.licenses":                 {notEmptyText},
	"Recipe.targets":                  {atLeastOne},
	"Recipe.archives":                 {atLeastOne},
	"Recipe.rewrite":                  {among(RewriteAuto, RewriteNone)},
	"Recipe.create":                   {unique, elements(matching(extensionPattern))},
	"Recipe.requires":                 {unique, elements(matching(requirePattern))},
	"Recipe.shared_preload_libraries": {unique, elements(matching(modulePattern))},
	"Recipe.parameters":               {keys(parameterPattern), values(orScalar)},
	"Recipe.output_plugins":           {unique, elements(matching(modulePattern))},
	"Recipe.bin_path":                 {unique, elements(notEmptyText)},
	"Recipe.annotations":              {keys(annotationKey), values(orScalar)},
	"Source.tree":                     {atLeastOne},
	"Deb.packages":                    {unique, elements(notEmptyText)},
	"DebFile.sha256":                  {matching(sha256Pattern), orNumber},
	"DebFile.distro":                  {matching(distroPattern)},
	"DebFile.postgres":                {between(minPostgres, maxPostgres)},
	"DebFile.arch":                    {among(archs...)},
	"PGXS.sha256":                     {matching(sha256Pattern), orNumber},
	"PGXS.strip":                      {between(0, 100)},
	"PGXS.build_depends":              {unique, elements(notEmptyText)},
	"PGXS.patches":                    {unique, elements(notEmptyText)},
	"PGXS.configure":                  {elements(orScalar)},
	"PGXS.make_args":                  {elements(orScalar)},
	"PGXS.install_args":               {elements(orScalar)},
	"Tree.path":                       {notEmptyText},
	"Tree.distro":                     {matching(distroPattern)},
	"Tree.postgres":                   {between(minPostgres, maxPostgres)},
	"Tree.arch":                       {among(archs...)},
	"Row.distro":                      {matching(distroPattern)},
	"Row.postgres":                    {unique, atLeastOne, elements(between(minPostgres, maxPostgres))},
	"Row.archs":                       {unique, atLeastOne, elements(among(archs...))},
	"Row.base":                        {basePattern},
	"Archive.name":                    {matching(imagePattern)},
	"Archive.components":              {unique, atLeastOne, elements(notEmptyText)},
	"Archive.fingerprints":            {unique, atLeastOne, elements(matching(fingerprintPattern), orNumber)},
	"Archive.snapshot":                {timestamp},
	"Bundle.packages":                 {unique, atLeastOne, elements(notEmptyText)},
	"Bundle.libraries":                {unique, atLeastOne, elements(matching(sonamePattern))},
	"Bundle.data":                     {atLeastOne},
	"Data.package":                    {notEmptyText},
	"Data.from":                       {notEmptyText},
	"Data.to":                         {notEmptyText},
	"Data.env":                        {matching(envPattern)},
	"Env.name":                        {matching(envPattern)},
	"Env.value":                       {notEmptyText, orScalar},
	"Test.sql":                        {notEmptyText},
}

// constrain applies the constraints of a type to the schema of its fields.
func constrain(s *jsonschema.Schema, typeName string) {
	if s.Properties == nil {
		return
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		for _, apply := range constraints[typeName+"."+pair.Key] {
			apply(pair.Value)
		}
	}
}

func matching(p pattern) constraint {
	return func(s *jsonschema.Schema) {
		longest := uint64(p.maxLength)
		s.Pattern, s.MaxLength = p.String(), &longest
	}
}

func among(values ...string) constraint {
	return func(s *jsonschema.Schema) { s.Enum = anyOf(values) }
}

func between(low, high int) constraint {
	return func(s *jsonschema.Schema) {
		s.Minimum, s.Maximum = json.Number(strconv.Itoa(low)), json.Number(strconv.Itoa(high))
	}
}

func unique(s *jsonschema.Schema) { s.UniqueItems = true }

func atLeastOne(s *jsonschema.Schema) {
	one := uint64(1)
	s.MinItems = &one
}

func notEmptyText(s *jsonschema.Schema) {
	one := uint64(1)
	s.MinLength = &one
}

func timestamp(s *jsonschema.Schema) { s.Format = "date-time" }

func basePattern(s *jsonschema.Schema) {
	s.Pattern = "^(" + BaseMinimal + "|" + BaseImagePrefix + ".+)$"
}

// orNumber lets text be written as a number, as in version: 3.10.
func orNumber(s *jsonschema.Schema) {
	s.Type, s.Extras = "", map[string]any{"type": []string{"string", "number"}}
}

// orScalar lets text be written as a number or a boolean.
func orScalar(s *jsonschema.Schema) {
	s.Type, s.Extras = "", map[string]any{"type": []string{"string", "number", "boolean"}}
}

func elements(constraints ...constraint) constraint {
	return func(s *jsonschema.Schema) {
		for _, apply := range constraints {
			apply(s.Items)
		}
	}
}

func values(constraints ...constraint) constraint {
	return func(s *jsonschema.Schema) {
		for _, apply := range constraints {
			apply(s.AdditionalProperties)
		}
	}
}

func keys(p pattern) constraint {
	return func(s *jsonschema.Schema) { s.PropertyNames = &jsonschema.Schema{Pattern: p.String()} }
}
