"""The window: it draws what the engine yields and sends commands back."""
