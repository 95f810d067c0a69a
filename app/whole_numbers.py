"""Whole numbers in bodies, as JSON knows them."""

from pydantic import BeforeValidator


def _whole(number: object) -> object:
    """Take `4200.0` for the whole number that it is, as JSON Schema does."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


AS_WHOLE = BeforeValidator(_whole)  # stands behind the limits of a number, which the document would else leave out
