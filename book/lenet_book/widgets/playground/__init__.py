"""A convolution to play with: input, kernel, stride, padding and dilation."""
