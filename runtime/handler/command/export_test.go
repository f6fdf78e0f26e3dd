package command

// TailSize is how much of standard error an Error keeps.
const TailSize = tailSize
