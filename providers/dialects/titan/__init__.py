"""What Bedrock does beside conversations: InvokeModel's bodies for vectors and pictures."""
