"""What people use instead, as whole programs beside ours."""
