"""What everybody may know: the words of the trade, money, time, text. No I/O."""
