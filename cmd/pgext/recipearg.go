package main

import "github.com/pgext/pgext/internal/recipe"

// loadRecipes returns the recipes that the arguments name, each once.
func loadRecipes(args []string) ([]*recipe.Recipe, error) {
	for _, arg := range args {
		if arg == "" {
			return nil, usageErrorf("a recipe's path is empty")
		}
	}
	return recipe.LoadAll(args)
}
