"""What an operator does with the files of an exchange: back them up, restore, verify and archive them."""
