"""MAP, VALIDATE, CONTROL: chunks of text become judged rows; nothing has left the machine."""
