"""The wire: messages, documents, codec, reject codes and the sans-I/O session."""
