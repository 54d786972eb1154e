print "no Python 3"
