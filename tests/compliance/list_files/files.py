"""List files in the publishers' formats, about parties that do not exist."""

# ruff: noqa: E501 - their lines are as long as the publishers'.

WALLET = "0x" + "aB" * 20
XBT = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"

SDN_CSV = (
    '101,"BRIGHTWATER TRADING LIMITED",-0- ,"TESTLAND] [SDGT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"SWIFT/BIC BRTWAEADXXX; Registration ID 4711 (Russia); Linked To: ORLOVSKY, Maksim."\r\n'
    '102,"ORLOVSKY, Maksim Petrovich","individual","TESTLAND","General",-0- ,-0- ,-0- ,-0- ,-0- ,'
    '-0- ,"DOB 21 Sep 1970; nationality Russia; Passport 53N0012 (Russia);'
    f" Digital Currency Address - ETH {WALLET}; alt. Digital Currency Address - XBT {XBT};"
    " a.k.a. 'MAX'.\"\r\n"
    '103,"GOLDEN HERON","vessel","TESTLAND",-0- ,"9HAB2","Tanker","100","90","Malta",'
    '"Brightwater","Vessel Registration Identification IMO 9385233."\r\n'
    "\x1a"
)
ALT_CSV = '101,11,"aka","SEVERNY PRICHAL",-0- \r\n102,12,"fka","ORLOWSKI, Maxim",-0- \r\n\x1a'
ADD_CSV = (
    '101,21,"1 Harbour Street","Dubai","United Arab Emirates",-0- \r\n'
    '102,22,-0- ,"Moscow","Russia",-0- \r\n\x1a'
)
OFAC_CSV = SDN_CSV + ALT_CSV + ADD_CSV

SDN_XML = f"""<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
 <publshInformation><Publish_Date>11/20/2026</Publish_Date><Record_Count>2</Record_Count></publshInformation>
 <sdnEntry><uid>102</uid><firstName>Maksim Petrovich</firstName><lastName>ORLOVSKY</lastName>
  <sdnType>Individual</sdnType><programList><program>TESTLAND</program></programList>
  <idList><id><uid>1</uid><idType>Passport</idType><idNumber>53 N-0012</idNumber></id>
   <id><uid>2</uid><idType>Digital Currency Address - ETH</idType><idNumber>{WALLET}</idNumber></id>
   <id><uid>3</uid><idType>Gender</idType><idNumber>Male</idNumber></id></idList>
  <akaList><aka><uid>4</uid><type>a.k.a.</type><category>weak</category><lastName>MAX</lastName></aka>
   <aka><uid>5</uid><type>a.k.a.</type><category>strong</category><lastName>ORLOWSKI</lastName>
    <firstName>Maxim</firstName></aka></akaList>
  <addressList><address><uid>6</uid><city>Moscow</city><country>Russia</country></address></addressList>
  <dateOfBirthList><dateOfBirthItem><dateOfBirth>21 Sep 1970</dateOfBirth></dateOfBirthItem></dateOfBirthList>
 </sdnEntry>
 <sdnEntry><uid>103</uid><lastName>GOLDEN HERON</lastName><sdnType>Vessel</sdnType>
  <idList><id><uid>7</uid><idType>Vessel Registration Identification</idType><idNumber>IMO 9385233</idNumber></id></idList>
 </sdnEntry>
</sdnList>"""

UN_XML = """<?xml version="1.0" encoding="UTF-8"?>
<CONSOLIDATED_LIST dateGenerated="2026-11-20T00:00:00Z"><INDIVIDUALS><INDIVIDUAL>
 <DATAID>701</DATAID><FIRST_NAME>MAKSIM</FIRST_NAME><SECOND_NAME>ORLOVSKY</SECOND_NAME>
 <UN_LIST_TYPE>TESTLAND</UN_LIST_TYPE><NAME_ORIGINAL_SCRIPT>Максим Орловский</NAME_ORIGINAL_SCRIPT>
 <COMMENTS1>Does not exist.</COMMENTS1><NATIONALITY><VALUE>Russian Federation</VALUE></NATIONALITY>
 <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Max</ALIAS_NAME></INDIVIDUAL_ALIAS>
 <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Maxim Orlowski</ALIAS_NAME></INDIVIDUAL_ALIAS>
 <INDIVIDUAL_ADDRESS><CITY>Moscow</CITY><COUNTRY>Russian Federation</COUNTRY></INDIVIDUAL_ADDRESS>
 <INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT</TYPE_OF_DATE><DATE>1970-09-21</DATE></INDIVIDUAL_DATE_OF_BIRTH>
 <INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT><NUMBER>53N0012</NUMBER></INDIVIDUAL_DOCUMENT>
</INDIVIDUAL></INDIVIDUALS><ENTITIES><ENTITY>
 <DATAID>702</DATAID><FIRST_NAME>BRIGHTWATER TRADING</FIRST_NAME><UN_LIST_TYPE>TESTLAND</UN_LIST_TYPE>
 <ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>SEVERNY PRICHAL</ALIAS_NAME></ENTITY_ALIAS>
 <ENTITY_ADDRESS><COUNTRY>United Arab Emirates</COUNTRY></ENTITY_ADDRESS>
</ENTITY></ENTITIES></CONSOLIDATED_LIST>"""

EU_XML = """<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-11-20T10:00:00.000+01:00">
 <sanctionEntity logicalId="801" euReferenceNumber="EU.1.1"><remark>Does not exist.</remark>
  <regulation programme="TEST"/><subjectType code="person" classificationCode="P"/>
  <nameAlias firstName="Maksim" lastName="Orlovsky" wholeName="Maksim Orlovsky" strong="true"/>
  <nameAlias wholeName="Максим Орловский" strong="true"/><nameAlias wholeName="Max" strong="false"/>
  <citizenship countryIso2Code="RU"/><birthdate birthdate="1970-09-21" year="1970"/>
  <address city="Moscow" countryIso2Code="RU" countryDescription="RUSSIAN FEDERATION"/>
  <identification identificationTypeCode="passport" number="53N0012"/>
 </sanctionEntity>
 <sanctionEntity logicalId="802"><subjectType code="enterprise" classificationCode="E"/>
  <nameAlias wholeName="Brightwater Trading" strong="true"/>
  <identification identificationTypeCode="swiftbic" number="BRTWAEADXXX"/>
 </sanctionEntity>
</export>"""

EU_CSV = (
    "fileGenerationDate;Entity_LogicalId;Entity_EU_ReferenceNumber;Entity_Remark;"
    "Entity_SubjectType;Entity_SubjectType_ClassificationCode;Entity_Regulation_Programme;"
    "NameAlias_LastName;NameAlias_FirstName;NameAlias_MiddleName;NameAlias_WholeName;"
    "Address_City;Address_CountryIso2Code;Address_CountryDescription;BirthDate_BirthDate;"
    "BirthDate_Year;Identification_Number;Identification_TypeCode;Citizenship_CountryIso2Code\r\n"
    "20/11/2026;801;EU.1.1;;P;person;TEST;Orlovsky;Maksim;;Maksim Orlovsky;;;;;;;;\r\n"
    "20/11/2026;801;EU.1.1;;P;person;TEST;;;;Максим Орловский;;;;;;;;\r\n"
    "20/11/2026;801;EU.1.1;;P;person;TEST;;;;;Moscow;RU;RUSSIAN FEDERATION;1970-09-21;1970;"
    "53N0012;passport;RU\r\n"
    '20/11/2026;802;;"Says; with ""quotes""";E;enterprise;TEST;;;;Brightwater Trading;;;;;;;;\r\n'
)

UK_CSV = (
    "Last Updated,20/11/2026\r\n"
    "Name 6,Name 1,Name 2,Name 3,Name 4,Name 5,Title,Name Non-Latin Script,DOB,Nationality,"
    "Passport Number,Address 1,Address 2,Post/Zip Code,Country,Other Information,Group Type,"
    "Alias Type,Alias Quality,Regime,Group ID\r\n"
    "ORLOVSKY,Maksim,Petrovich,,,,,Максим Орловский,21/09/1970,Russia,53N0012,Moscow,,,Russia,"
    f'"Says (Digital Currency Address - ETH {WALLET})",Individual,Primary name,,TEST,901\r\n'
    "Max,,,,,,,,,,,,,,,,Individual,AKA,Low quality,TEST,901\r\n"
    "Brightwater Trading,,,,,,,,,,,1 Harbour Street,Dubai,,United Arab Emirates,,Entity,"
    "Primary name,,TEST,902\r\n"
)

UK_XML = """<?xml version="1.0" encoding="utf-8"?>
<ArrayOfFinancialSanctionsTarget xmlns="http://schemas.hmtreasury.gov.uk/ofsi/consolidatedlist">
 <FinancialSanctionsTarget><Name6>ORLOVSKY</Name6><name1>Maksim</name1><name2>Petrovich</name2>
  <NameNonLatinScript>Максим Орловский</NameNonLatinScript>
  <Individual_DateOfBirth>21/09/1970</Individual_DateOfBirth><Country>Russia</Country>
  <GroupTypeDescription>Individual</GroupTypeDescription><AliasType>Primary name</AliasType>
  <RegimeName>TEST</RegimeName><GroupID>901</GroupID></FinancialSanctionsTarget>
 <FinancialSanctionsTarget><Name6>Max</Name6><GroupTypeDescription>Individual</GroupTypeDescription>
  <AliasType>AKA</AliasType><AliasQuality>Low quality</AliasQuality><GroupID>901</GroupID>
 </FinancialSanctionsTarget>
 <FinancialSanctionsTarget><Name6>GOLDEN HERON</Name6><GroupTypeDescription>Ship</GroupTypeDescription>
  <AliasType>Primary name</AliasType><Ship_IMONumber>9385233</Ship_IMONumber>
  <Ship_CurrentOwners>Brightwater Trading</Ship_CurrentOwners><GroupID>903</GroupID>
 </FinancialSanctionsTarget>
</ArrayOfFinancialSanctionsTarget>"""

UK_DESIGNATIONS_XML = """<?xml version="1.0" encoding="utf-8"?>
<Designations><Designation><UniqueID>TST0001</UniqueID><OFSIGroupID>901</OFSIGroupID>
 <IndividualEntityShip>Individual</IndividualEntityShip><RegimeName>TEST</RegimeName>
 <Names><Name><Name1>Maksim</Name1><Name6>Orlovsky</Name6><NameType>Primary Name</NameType></Name>
  <Name><Name6>Max</Name6><NameType>Alias</NameType><AliasStrength>Low quality a.k.a</AliasStrength></Name></Names>
 <NonLatinNames><NonLatinName><NameNonLatinScript>Максим Орловский</NameNonLatinScript></NonLatinName></NonLatinNames>
 <IndividualDetails><Individual><DOBs><DOB>21/09/1970</DOB></DOBs>
  <Nationalities><Nationality>Russia</Nationality></Nationalities></Individual></IndividualDetails>
</Designation></Designations>"""

FTM = (
    '{"id":"x-1","caption":"Maksim Orlovsky","schema":"Person","target":true,"properties":'
    '{"name":["Maksim Orlovsky","Максим Орловский"],"weakAlias":["Max"],"birthDate":["1970-09-21"],'
    '"country":["ru"],"passportNumber":["53N0012"],"topics":["sanction"]}}\n'
    '{"id":"x-2","caption":"Brightwater","schema":"Company","target":false,"properties":'
    '{"name":["Brightwater Trading"],"swiftBic":["BRTWAEADXXX"],"topics":["sanction"]}}\n'
    '{"id":"x-3","caption":"Nobody","schema":"Person","target":false,"properties":{"name":["N B"]}}\n'
    '{"id":"x-4","schema":"Ownership","properties":{"owner":["x-1"],"asset":["x-2"],'
    '"percentage":["50.1"]}}\n'
    '{"id":"x-5","schema":"CryptoWallet","properties":{"publicKey":["' + WALLET + '"],'
    '"holder":["x-1"]}}\n'
)

TARGETS_CSV = (
    '"id","schema","name","aliases","birth_date","countries","addresses","identifiers",'
    '"sanctions","phones","emails","program_ids","dataset","first_seen","last_seen","last_change"\n'
    '"x-1","Person","Maksim Orlovsky","Максим Орловский;Maxim Orlowski","1970-09-21","ru","",'
    '"53N0012","","","","TEST","own","","",""\n'
    '"x-2","Company","Brightwater Trading","","","ae","","4711","","","","TEST","own","","",""\n'
)

ALL = {
    "ofac-csv": OFAC_CSV, "ofac-sdn-xml": SDN_XML, "un-xml": UN_XML, "eu-xml": EU_XML,
    "eu-csv": EU_CSV, "uk-csv": UK_CSV, "uk-xml": UK_XML, "opensanctions-ftm": FTM,
    "opensanctions-csv": TARGETS_CSV,
}  # fmt: skip
