"""Models as files that run without their spec: torch.export, AOTInductor, ONNX, and weights alone."""
