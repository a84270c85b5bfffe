"""What every maie process shares and no transport knows: errors, reasons, limits, settings."""
