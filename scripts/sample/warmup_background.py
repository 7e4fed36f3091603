"""Long sentences of the warm-up corpus that hold no argument: reports, opinions, lists, and posts."""

from __future__ import annotations

LONG = """
    The whole affair, which began in {~city} in {~year} as a minor quarrel between {~person} and {~org}, has \
since grown into something that neither of them could have foreseen.
    As I wrote on this blog back in {~year}, nobody in {~city} seems willing to ask the obvious question, namely \
who gains from all this and who will have to pay for it in the end.
    According to a poll of {~num} households that {~media} commissioned, most people in {~country} believe that \
things will get worse before they get better, and only a few think otherwise.
    {~person}, a professor of history at a small college near {~city}, has spent an entire working life on \
{~topic}, and the books that came of it are read in {~country} and beyond.
    What we see here is nothing new: the same arguments were heard in {~country} in {~year}, in {~country} a \
decade later, and they will be heard again long after {~leader is/are} forgotten.
    In recent months {~agency} has published report after report about {~topic}, but so far hardly anyone in \
{~city} has taken notice of them.
    “I have lived in {~city} all my life,” said {~person}, a retired baker, “and I have never seen anything like \
it, not even in the bad years.”
    Let us be honest about it: if {~leader} were serious about {~topic}, we would have heard a very different \
speech in {~city} last week.
    The list of those who have weighed in is long: {~person}, {~person}, {~org}, {~agency} and even {~media}, \
though not all of them seem to have read the documents.
    Asked about the matter on {~day}, {~leader} smiled, looked at the clock, and said only that there would be \
time for such questions later in the year.
    Readers of this page will remember {~person}, who is from {~city} and who predicted most of this in a long \
letter to {~media} in {~year}.
    To understand what is at stake, one has to go back to {~year}, when {~country} and {~country} were still on \
friendly terms and {~org} had just opened its first branch in {~city}.
    Share this with your friends if you think that {~media} should have told us about it earlier, and tell us in \
the comments what you make of it.
    {~city} is a town of cafes, markets and narrow streets; it is also, as {~person} likes to point out, a town \
in which everybody knows everybody else.
    While {~agency} has refused to be drawn on the details, two people who have seen the papers say that they \
run to more than {~num} pages and mention {~org} several times.
    The mood among {~group} in {~city} is hard to describe: some are angry, some are tired, and some no longer \
care what {~leader} says on television.
    Economists at {~org} think that growth in {~country} will slow next year, mainly because of {~topic}, and \
that {~country} will feel the effects as well.
    There are, of course, those who see it differently, and {~person} is one of them: in this view, the role of \
{~country} has been exaggerated by {~media} from the very beginning.
    At a dinner in {~city} on {~day}, {~leader} sat next to {~person}, and the two of them, to the surprise of \
the other guests, hardly exchanged a word.
    It is worth recalling that {~org}, which now presents itself as a neutral observer, had close ties to \
{~leader} until {~year} and has never quite explained them.
    Three things stand out: the silence of {~leader}, the role of {~agency}, and the fact that nobody in \
{~country} seems to have been told.
    A few streets away, in a small shop that smells of coffee and tobacco, {~person} sells newspapers to \
{~group} and listens to what they have to say.
    I do not know {~person} and I have no reason to doubt what others say, but this account of {~topic} simply \
does not fit what we know from {~city}.
    In an interview that ran to almost two hours, {~person} spoke at length about a childhood in {~city}, his \
years at {~org}, and hopes for {~country}.
    Meanwhile, prices in {~country} have doubled since {~year}, the roads are in poor repair, and {~group} \
complain that nobody in {~city} listens to them.
    When {~person} first came to {~city}, {~org} was the only employer in town; today the factory is a museum, \
and the young people leave for {~country}.
    The question is not whether {~leader} knew, but when, and so far neither {~agency} nor {~media} has given an \
answer.
    It may be a coincidence that {~org} and {~org} have the same address in {~city}, but readers will draw their \
own conclusions.
    None of this is likely to change the minds of {~group}, who have heard such promises from {~leader} before \
and remember how they ended.
    Here is what we know so far: {~person} arrived in {~city} on {~day}, stayed at a hotel near the station, and \
was seen in a cafe with {~delegation}.
    In a country such as {~country}, where the press is weak and the courts are slow, a story of this kind can \
go on for years.
    The report, all {~num} pages of it, deals with {~topic} and was written by {~person}, who used to advise \
{~leader}.
    You will not read this in {~media}, but ask anyone in {~city} and they will tell you the same thing about \
{~leader}.
    The weather in {~city} was mild, the shops were open, and {~group} sat in the parks as if nothing in the \
world could trouble them.
    That is the view of {~agency}, at any rate; in {~country}, and above all in {~city}, people tend to see the \
matter in another light.
    How long can {~country} go on like this, with an economy that hardly grows, a debt of {~money}, and a \
government that changes every year?
    """

# What stands before an event's sentence and leaves its tense open.
LEADS = """
    in a development that surprised {~group} in {~city},
    despite all that {~leader} had said about {~topic},
    to the surprise of {~person} and many others in {~city},
    with the eyes of {~media} on {~city},
    as {~media} first reported,
    whatever {~leader} may say about it,
    as far as {~agency} can tell,
    make no mistake:
    in short,
    and now this:
    contrary to what {~person} wrote in {~year},
    """
