def models() -> None:
    pass


def templates() -> None:
    pass
