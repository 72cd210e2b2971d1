"""What goes wrong in the lesson's recipe, measured."""
