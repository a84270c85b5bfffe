"""The models that can be fetched, and those on this machine."""

from maie_cli.models.catalogue import CATALOGUE, CatalogueModel, catalogue_model
from maie_cli.models.pull import pull
from maie_cli.models.store import model_directory, trust

__all__ = ["CATALOGUE", "CatalogueModel", "catalogue_model", "model_directory", "pull", "trust"]
