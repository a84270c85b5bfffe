def process() -> None:
    pass
