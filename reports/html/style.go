package html

// Style is the style sheet of the pages, with the hash by which a content
// security policy allows it: other pages of wayproof look like this one.
func Style() (text, hash string, err error) { return asset("style.css") }
