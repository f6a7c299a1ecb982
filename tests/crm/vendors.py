"""Every vendor there is a connector for, as its test server."""

from tests.crm.activecampaign import ActiveCampaignServer
from tests.crm.airtable import AirtableServer
from tests.crm.getresponse import GetResponseServer
from tests.crm.google_sheets import GoogleSheetsServer
from tests.crm.hubspot import Hubspot
from tests.crm.intercom import Intercom
from tests.crm.mailchimp import MailchimpServer
from tests.crm.monday import MondayServer
from tests.crm.receiver import Receiver
from tests.crm.salesforce import Salesforce
from tests.crm.vendor import Vendor
from tests.crm.zendesk import Zendesk

VENDORS: tuple[type[Vendor], ...] = (
    ActiveCampaignServer,
    AirtableServer,
    GetResponseServer,
    GoogleSheetsServer,
    Hubspot,
    Intercom,
    MailchimpServer,
    MondayServer,
    Receiver,
    Salesforce,
    Zendesk,
)
