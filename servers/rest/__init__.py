"""HTTP: the dialects of OpenAI, of KServe v2, and of OVMS."""
