"""From text to token ids, as the model's own tokenizer would do it."""
