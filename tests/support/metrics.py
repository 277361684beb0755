"""What a service's metrics say, summed over the labels that nobody asks for."""

from prometheus_client.parser import text_string_to_metric_families


def counted(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels; 0 where there is none.

    Args:
        text: as `/metrics` answers it.
        name: of the samples, with its prefix and suffix.
        labels: and their values.
    """
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())
