"""Trading strategies over the SDK, one class each."""
