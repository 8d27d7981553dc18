package main

import (
	"github.com/spf13/cobra"

	"github.com/pgext/pgext/internal/recipe"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of recipes",
		Long: `Print the JSON Schema of recipes (draft 2020-12), for editors. In recipe.yaml:

  # yaml-language-server: $schema=recipe.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			schema, err := recipe.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}
