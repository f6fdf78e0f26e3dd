package http

// IsPublic tells which addresses requests may go to.
var IsPublic = isPublic
